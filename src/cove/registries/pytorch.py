"""PyTorch's own index: a bucket that says 403 for what it does not hold."""

from cove.registries.registry import Registry, host_ends

PYTORCH = Registry(
    "pytorch",
    "the PyTorch index",
    host_ends("download.pytorch.org"),
    # The bucket may not be listed, so it cannot say 404; there is nothing on it that a credential would open.
    absent_statuses=frozenset({403}),
)

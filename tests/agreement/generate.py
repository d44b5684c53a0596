"""Cases made at random: a few packages with most of what requirements can say, and a project that uses some of it."""

import random
from collections.abc import Sequence
from typing import Any

from packaging.version import Version

from agreement.cases import Case

_OPERATORS = ("==", "!=")
_STRINGS = {
    "sys_platform": ("linux", "win32", "darwin"),
    "platform_machine": ("x86_64", "arm64", "aarch64"),
    "implementation_name": ("cpython", "pypy"),
    "platform_python_implementation": ("CPython", "PyPy"),
    "os_name": ("nt", "posix"),
    "platform_system": ("Windows", "Linux", "Darwin"),
}
_USUAL = ("sys_platform", "sys_platform", "sys_platform", "platform_machine", "platform_system", "os_name",
          "implementation_name", "platform_python_implementation")  # fmt: skip
_PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
_PATCHES = ("3.10.1", "3.11.4", "3.12.0", "3.12.4", "3.13")
_TAGS = (
    "py3-none-any", "sdist", "cp312-cp312-win_amd64", "cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-musllinux_1_1_x86_64",
    "cp310-abi3-macosx_11_0_arm64", "cp39-cp39-win32", "cp313-cp313-manylinux_2_17_aarch64", "py3-none-win_amd64",
)  # fmt: skip
_VERSIONS = ("1.0", "1.1", "2.0", "2.1.post1", "2.5", "3.0", "4.0")
_ODD_VERSIONS = ("1.5a1", "2.0b2", "3.0.dev1", "2.2rc1", "1!1.0", "2.0+cpu", "1.0.post2", "5.0a1")
_VARIANTS = (
    "cp312-cp312-win_amd64", "cp311-cp311-win_amd64", "cp312-cp312-linux_x86_64", "cp311-cp311-linux_x86_64",
    "cp312-cp312-manylinux_2_17_aarch64", "cp312-none-macosx_11_0_arm64", "cp311-none-macosx_11_0_arm64",
    "cp311-abi3-macosx_11_0_universal2", "py3-none-macosx_10_9_x86_64", "py3-none-win32", "py3-none-any", "sdist",
)  # fmt: skip
FEATURES = {
    "extras": 0.35, "groups": 0.25, "odd-versions": 0.2, "yanked": 0.1, "tags": 0.25, "pythons": 0.4, "environments": 0.1,
    "required": 0.08, "fewest": 0.1, "lowest": 0.08, "lowest-direct": 0.06, "prerelease": 0.08, "constraints": 0.1,
    "overrides": 0.08, "excludes": 0.06, "conflicts": 0.12, "indexes": 0.15, "workspace": 0.15, "later": 0.25,
    "newer": 0.06, "complex": 0.35, "self-extras": 0.1, "variants": 0.08,
}  # fmt: skip


class Maker:
    """One case. ``features`` are the kinds of things it may have; without any, they are chosen by their frequency."""

    def __init__(self, seed: int, features: Sequence[str] = ()) -> None:
        self.random = r = random.Random(seed)
        drawn = {name for name, chance in FEATURES.items() if r.random() < chance}
        self.features = set(features) or drawn
        self.names = [f"{letter}" for letter in "abcdefgh"[: r.randint(2, 6)]]
        self.versions = {name: self._versions() for name in self.names}
        self.with_extras = {name for name in self.names if r.random() < 0.4} if "extras" in self.features else set()
        self.varied = r.sample(self.names, r.randint(1, 2)) if "variants" in self.features else []
        for name in self.varied:  # as indexes of builds for accelerators have them
            plain = [each for each in self.versions[name] if "+" not in each]
            self.versions[name] += [
                f"{each}+{kind}" for each in plain for kind in r.sample(("cpu", "cu1"), r.randint(1, 2))
            ]
            self.versions[name] = list(dict.fromkeys(self.versions[name]))

    def _versions(self) -> list[str]:
        r = self.random
        found = r.sample(_VERSIONS, r.randint(1, 4))
        if "odd-versions" in self.features and r.random() < 0.5:
            found += r.sample(_ODD_VERSIONS, r.randint(1, 2))
        return list(dict.fromkeys(found))

    # Markers.

    def atom(self) -> str:
        r = self.random
        kind = r.random()
        if kind < 0.4:
            if r.random() < 0.6:
                return (
                    f"python_version {r.choice(['>=', '<', '<', '>=', '==', '!=', '>', '<='])} '{r.choice(_PYTHONS)}'"
                )
            return (
                f"python_full_version {r.choice(['>=', '<', '>=', '<', '<=', '>', '==', '!='])} '{r.choice(_PATCHES)}'"
            )
        if kind < 0.42:
            return f"python_version {r.choice(['in', 'not in'])} '{' '.join(sorted(r.sample(_PYTHONS, 2)))}'"
        if kind < 0.44:
            return f"python_version ~= '{r.choice(_PYTHONS)}'"
        name = r.choice(_USUAL)
        value = r.choice(_STRINGS[name])
        if kind < 0.45:
            return f"{name} {r.choice(['in', 'not in'])} '{' '.join(r.sample(_STRINGS[name], 2))}'"
        if kind < 0.48:
            return f"'{value}' {r.choice(_OPERATORS)} {name}"
        return f"{name} {r.choice(_OPERATORS)} '{value}'"

    def marker(self) -> str:
        r = self.random
        found = self.atom()
        while "complex" in self.features and r.random() < 0.35:
            other = self.atom()
            joined = r.choice(["and", "or"])
            found = f"({found}) {joined} {other}" if r.random() < 0.5 else f"{found} {joined} {other}"
        return found

    # Requirements.

    def specifier(self, name: str) -> str:
        r = self.random
        version, kind = r.choice(self.versions[name]).split("+")[0], r.random()
        bounds = ((0.2, ">="), (0.35, "<"), (0.45, "<="), (0.53, "=="), (0.6, "!="), (0.64, ">"), (0.68, "~="))
        for limit, operator in bounds:
            if kind < limit:
                if operator == "~=" and "dev" in version:
                    return ""
                return operator + version
        if kind < 0.72:
            low = min((each.split("+")[0] for each in self.versions[name]), key=Version)
            return f">={low},<{version}" if Version(low) < Version(version) else ""
        return f"=={version[0]}.*" if kind < 0.75 and "!" not in version else ""

    def requirement(self, names: Sequence[str], *, marked: float = 0.45) -> str:
        r = self.random
        name = r.choice(names)
        extra = f"[{r.choice(['x', 'y', 'x,y'])}]" if name in self.with_extras and r.random() < 0.4 else ""
        text = name + extra + (self.specifier(name) if r.random() < 0.5 else "")
        return f"{text} ; {self.marker()}" if r.random() < marked else text

    def requirements(self, names: Sequence[str], most: int) -> list[str]:
        r = self.random
        found = [self.requirement(names) for _ in range(r.randint(0, most))] if names else []
        if names and r.random() < 0.25:  # what divides the environments
            name, version = r.choice(names), self.atom()
            one, other = self.specifier(name), self.specifier(name)
            opposite = (
                version.replace(">=", "§").replace("<", ">=").replace("§", "<") if "python" in version else self.atom()
            )
            found += [f"{name}{one} ; {version}", f"{name}{other} ; {opposite}"]
        return found

    # Indexes.

    def packages(self) -> dict[str, Any]:
        r = self.random
        found: dict[str, Any] = {}
        for position, name in enumerate(self.names):
            python, below = 8, self.names[position + 1 :]
            if r.random() < 0.05:
                below = [each for each in self.names if each != name]
            for version in self.versions[name]:
                package: dict[str, Any] = {}
                if requires := self.requirements(below, 3):
                    package["requires"] = requires
                if "pythons" in self.features and r.random() < 0.4:
                    python = max(python, 8 + r.choice([0, 0, 1, 2, 3, 4, 5]))
                if python > 8:
                    package["python"] = f">=3.{python}" + (",<4" if r.random() < 0.1 else "")
                if name in self.with_extras:
                    package["extras"] = {"x": self.requirements(below, 2), "y": self.requirements(below, 2)}
                    if r.random() < 0.2:
                        package["extras"]["y"].append(f"{name}[x]")
                if "tags" in self.features and r.random() < 0.3:
                    package["tags"] = r.sample(_TAGS, r.randint(1, 4))
                if name in self.varied and r.random() < 0.85:
                    package["tags"] = self.tags_of_variant()
                if "yanked" in self.features and r.random() < 0.2:
                    package["yanked"] = "broken"
                if "newer" in self.features:
                    package["uploaded"] = f"202{r.randint(1, 5)}-03-01T00:00:00Z"
                found[f"{name} {version}"] = package
        return found

    def tags_of_variant(self) -> list[str]:
        r = self.random
        if r.random() < 0.6:
            system = r.choice(["win", "linux", "macosx"])
            return [tag for tag in _VARIANTS if system in tag]
        return r.sample(_VARIANTS, r.randint(1, 5))

    # Projects.

    def project(self, name: str, names: Sequence[str], python: str) -> dict[str, Any]:
        r = self.random
        project: dict[str, Any] = {"name": name, "version": "0.1.0", "requires-python": python}
        project["dependencies"] = self.requirements(names, 4) or [names[0]]
        table: dict[str, Any] = {"project": project}
        if "extras" in self.features or "conflicts" in self.features:
            extras = {
                extra: self.requirements(names, 2) or [r.choice(names)] for extra in ("p", "q")[: r.randint(1, 2)]
            }
            if "self-extras" in self.features:
                extras["all"] = [f"{name}[{','.join(extras)}]"]
            project["optional-dependencies"] = extras
        if "groups" in self.features or "conflicts" in self.features:
            groups: dict[str, Any] = {
                group: self.requirements(names, 2) for group in ("dev", "test")[: r.randint(1, 2)]
            }
            if r.random() < 0.3:
                groups["every"] = [{"include-group": "dev"}, *self.requirements(names, 1)]
            table["dependency-groups"] = groups
        return table

    def settings(self, root: dict[str, Any]) -> dict[str, Any]:
        r, features = self.random, self.features
        uv: dict[str, Any] = {}
        if "environments" in features:
            uv["environments"] = [self.disjoint(at) for at in range(r.randint(1, 2))]
        if "required" in features:
            uv["required-environments"] = ["sys_platform == 'win32' and platform_machine == 'AMD64'"]
        if "fewest" in features:
            uv["fork-strategy"] = "fewest"
        for mode in ("lowest", "lowest-direct"):
            if mode in features:
                uv["resolution"] = mode
        if "prerelease" in features:
            uv["prerelease"] = r.choice(["allow", "disallow", "if-necessary", "explicit"])
        for key in ("constraints", "overrides"):
            if key in features:
                one = r.choice(self.names)
                text = one + self.specifier(one) + (f" ; {self.marker()}" if r.random() < 0.4 else "")
                uv[f"{key[:-1]}-dependencies"] = [text]
        if "excludes" in features:
            uv["exclude-dependencies"] = [r.choice(self.names)]
        if "newer" in features:
            uv["exclude-newer"] = f"202{r.randint(2, 5)}-01-01T00:00:00Z"
        if "conflicts" in features:
            things = [{"extra": each} for each in root["project"].get("optional-dependencies", {}) if each != "all"]
            things += [{"group": each} for each in root.get("dependency-groups", {}) if each != "every"]
            if len(things) > 1:
                uv["conflicts"] = [r.sample(things, r.randint(2, min(3, len(things))))]
        return uv

    def disjoint(self, at: int) -> str:
        """One of several environments that have nothing in common."""
        return ("sys_platform == 'linux'", "sys_platform == 'win32' and python_version >= '3.10'")[at]

    def case(self) -> Case:
        r = self.random
        python = r.choice([">=3.8", ">=3.10", ">=3.9,<3.13", ">=3.11", ">=3.10.2", ">=3.9"])
        root = self.project("app", self.names[:4], python)
        uv = self.settings(root)
        indexes = {"main": self.packages()}
        table: list[dict[str, Any]] = [{"name": "main", "url": "{main}", "default": True}]
        if "indexes" in self.features:
            second = dict(list(self.packages().items()))
            name = self.names[0]
            indexes["second"] = {key: second[key] for key in second if key.split()[0] in self.names[:2]}
            marker = self.atom()
            kind = r.random()
            pin: dict[str, Any] = {"index": "second"}
            if kind < 0.6:
                pin["marker"] = marker
            uv["sources"] = {name: pin}
            table.insert(0, {"name": "second", "url": "{second}", "explicit": True})
        projects = {"": root}
        if "workspace" in self.features:
            for position, member in enumerate(("mone", "mtwo")[: r.randint(1, 2)]):
                projects[member] = self.project(member, self.names, r.choice([python, ">=3.9", ">=3.11"]))
                if position and r.random() < 0.6:
                    projects[member]["project"]["dependencies"].append(self.on_member("mone"))
                    projects[member]["tool"] = {"uv": {"sources": {"mone": {"workspace": True}}}}
            uv["workspace"] = {"members": [each for each in projects if each]}
            if r.random() < 0.6:
                root["project"]["dependencies"].append(self.on_member("mone"))
                uv.setdefault("sources", {})["mone"] = {"workspace": True}
        uv["index"] = table
        root["tool"] = {"uv": uv}
        case: Case = {"projects": projects, "indexes": indexes}
        if "later" in self.features:
            case["later"] = self.later(case)
        return case

    def on_member(self, name: str) -> str:
        r = self.random
        return name + (f" ; {self.atom()}" if r.random() < 0.4 else "")

    def later(self, case: Case) -> Case:
        """What has changed, and how the lock is asked for anew."""
        r = self.random
        later: Case = {"argv": r.choice([[], [], ["--upgrade"], ["--upgrade-package", r.choice(self.names)]])}
        packages = dict(case["indexes"]["main"])
        for name in self.names:
            if r.random() < 0.5:
                key = r.choice([each for each in packages if each.split()[0] == name])
                packages[f"{name} {r.choice(['2.7', '6.0', '1.2'])}"] = packages[key]
        for key in list(packages):
            if r.random() < 0.06:
                packages[key] = {**packages[key], "yanked": "broken"}
        later["indexes"] = {**case["indexes"], "main": packages}
        if r.random() < 0.6:
            root = case["projects"][""]
            before = root["project"]["dependencies"]
            kept = [each for each in before if r.random() < 0.8]
            project = {**root["project"], "dependencies": [*kept, self.requirement(self.names)]}
            later["projects"] = {**case["projects"], "": {**root, "project": project}}
        return later


def at_random(seed: int, features: Sequence[str] = ()) -> Case:
    """The case of a number."""
    return Maker(seed, features).case()

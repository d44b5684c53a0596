"""Building: what the projects of people are published as, and what a resolution or an installation has to have built."""

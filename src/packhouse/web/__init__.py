"""HTTP and HTML: the only rooms that know of requests, statuses and pages."""

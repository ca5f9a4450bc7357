"""Rate, errors and duration by route, for Prometheus.

Labels are the route's pattern, the method and the status class: bounded, and never
anything that a caller or a participant wrote.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "pe_http_requests_total", "HTTP requests.", ("route", "method", "status")
)
SECONDS = Histogram(
    "pe_http_request_seconds",
    "Duration of HTTP requests, in seconds.",
    ("route",),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5),
)
# Billed by whoever runs the machines: what a request costs is mostly this.
CPU_SECONDS = Counter(
    "pe_http_cpu_seconds_total",
    "CPU time of the serving thread, in seconds.",
    ("route",),
)
IN_PROGRESS = Gauge(
    "pe_http_requests_in_progress",
    "Requests being served: one a process at most.",
    multiprocess_mode="livesum",
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MetricsMiddleware:
    """Counts what passes; an unknown URL is one label, whatever was asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started, cpu_started = time.perf_counter(), time.thread_time()
        with IN_PROGRESS.track_inprogress():
            response = self.get_response(request)
        match = request.resolver_match
        route = match.route if match else "unknown"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(route, method, f"{response.status_code // 100}xx").inc()
        SECONDS.labels(route).observe(time.perf_counter() - started)
        CPU_SECONDS.labels(route).inc(time.thread_time() - cpu_started)
        return response

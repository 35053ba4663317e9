"""What the machine does while a run is RUNNING: MLflow's own system metrics, on request."""

from typing import Any

# Seconds from one look to the next. MLflow's own ten are longer than a small sweep, which would log nothing.
INTERVAL = 1


class Monitor:
    """Watches for one run at a time, in a thread of MLflow's; what is written hangs on that run as system/<metric>."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._thread: Any = None

    def watch(self, run_id: str) -> None:
        """Begin, or go on after the last value that the run has. Once begun, it stays with its run."""
        if self._thread is not None:
            return
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        self._thread = SystemMetricsMonitor(run_id, INTERVAL, resume_logging=True, tracking_uri=self._uri)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, and end."""
        if self._thread is not None:
            self._thread.finish()
            self._thread = None

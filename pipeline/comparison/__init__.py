"""The points of a sweep side by side: tables and figures."""

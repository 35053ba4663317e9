"""MLflow as a view of the records: it can be deleted and filled again from them at any time."""

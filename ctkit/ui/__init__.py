"""The widgets. The only folder that knows anywidget."""

"""The small applications that ibanse is measured against."""

"""What flows are wired to: Slack, mail, HTTPS receivers, the terminal and storage, and the secrets they need by name."""

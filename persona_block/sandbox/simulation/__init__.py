"""What happens by itself: applicants that answer, reports and imports that end, an organisation to explore."""

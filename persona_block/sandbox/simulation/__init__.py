"""What happens without a request: applicants answer, reports and imports end, inquiries expire."""

"""One call of one operation: params to request to answer to output, with retries, pacing and files."""

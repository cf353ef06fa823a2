"""What a person sees in a browser: the hosted flow of an applicant, and the dashboard of whoever runs the simulation."""

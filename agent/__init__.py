"""What runs on the customer's mail server, and the build of it; imports nothing of the control plane."""

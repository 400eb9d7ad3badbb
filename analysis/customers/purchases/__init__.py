"""What models of purchases share: the search for their parameters, and Pareto/NBD with its integral."""

"""The plan of a segment: rules of the playbook, the facts they read, five actions, and the test of each."""

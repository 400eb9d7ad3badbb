"""Run the commands: build a study; export audiences, plan and measure tests of actions."""

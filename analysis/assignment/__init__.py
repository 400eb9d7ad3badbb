"""Rules, questions and models that assign new customers to segments."""

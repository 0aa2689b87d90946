"""What must hold of the way ibanse is started and run; marked `deploy` where it meets what production is made of."""

"""What people and programs do with Headwater, each as one function on a log: the same for command line, client, web and agents."""

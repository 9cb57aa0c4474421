"""What may a role do, at which sites, and how does the site keep everybody else out?"""

"""Who are the people and programs, in which roles and for which sites do they act, and how do they prove who they are?"""

"""Who somebody is: sign-up, sign-in, second factors, sessions, and the address they are known by.

django-allauth does the deeds; here stand our rules around it. What a user may do is decided elsewhere (roles.py).
"""

"""Authentication: sign-up, sign-in, second factors, sessions, change of the e-mail address.

The flows are django-allauth's, with the rules of this project around them. Permissions are in accounts/roles.py.
"""

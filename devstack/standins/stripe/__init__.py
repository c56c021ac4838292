"""Stripe for one machine: the v1 API with state, hosted pages, signed webhooks, a journal of money, faults on demand.

What it knows: customers, payment methods, payment intents, charges, Checkout sessions, refunds, disputes, prices,
subscriptions, invoices, the portal, events. `control` lists what a test can make happen beside the API.
"""

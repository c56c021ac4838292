"""The reference of P7: a Django project that is nothing but one JSON answer."""

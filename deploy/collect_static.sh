#!/bin/sh
# Gathers the service's static files. Runs while an image is built, where nothing of an installation is known: the
# settings refuse to load without secrets and addresses, so they get ones that end with this command.
set -eu
random() {
    python -c "import secrets; print(secrets.token_urlsafe(64))"
}
secret=$(random)
exec env \
    BACKEND_SECRET_KEY="$secret" \
    FRONTEND_SECRET_KEY="$secret" \
    INTERNAL_API_SECRET="$(random)" \
    DATABASE_URL="postgres://nobody:$secret@127.0.0.1:1/none" \
    FRONTEND_DATABASE_URL="postgres://nobody:$secret@127.0.0.1:1/none" \
    REDIS_URL="redis://:$secret@127.0.0.1:1/0" \
    ALLOWED_HOSTS=build.invalid \
    BACKEND_BASE_URL=http://build.invalid \
    FRONTEND_BASE_URL=https://build.invalid \
    DEFAULT_FROM_EMAIL=build@build.invalid \
    EMAIL_URL=smtp://127.0.0.1:1 \
    python manage.py collectstatic --noinput --verbosity 0

#!/bin/sh
# Runs once, when the PostgreSQL container makes its data folder: a role and a database for each service.
# The services' roles own their database and nothing else; extensions that only a superuser may add are added here.
set -eu

psql -v ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv backend_password BACKEND_DATABASE_PASSWORD
\getenv frontend_password FRONTEND_DATABASE_PASSWORD
CREATE ROLE afterresume LOGIN PASSWORD :'backend_password';
CREATE ROLE afterresume_frontend LOGIN PASSWORD :'frontend_password';
CREATE DATABASE afterresume OWNER afterresume;
CREATE DATABASE afterresume_frontend OWNER afterresume_frontend;
REVOKE CONNECT, TEMPORARY ON DATABASE afterresume, afterresume_frontend, postgres FROM PUBLIC;
\connect afterresume
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
SQL

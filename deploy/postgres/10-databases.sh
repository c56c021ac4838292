#!/bin/sh
# Runs once, when the PostgreSQL container makes its data folder: roles and a database for each service.
# `afterresume` owns the backend's tables and migrates them; the backend's services run as `afterresume_app`, which owns
# nothing, so that row-level security binds it. Extensions that only a superuser may add are added here.
set -eu

psql -v ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv backend_password BACKEND_DATABASE_PASSWORD
\getenv backend_app_password BACKEND_APP_DATABASE_PASSWORD
\getenv frontend_password FRONTEND_DATABASE_PASSWORD
CREATE ROLE afterresume LOGIN PASSWORD :'backend_password';
CREATE ROLE afterresume_app LOGIN PASSWORD :'backend_app_password';
CREATE ROLE afterresume_frontend LOGIN PASSWORD :'frontend_password';
CREATE DATABASE afterresume OWNER afterresume;
CREATE DATABASE afterresume_frontend OWNER afterresume_frontend;
REVOKE CONNECT, TEMPORARY ON DATABASE afterresume, afterresume_frontend, postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE afterresume TO afterresume_app;
\connect afterresume
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
SQL

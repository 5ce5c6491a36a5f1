/* The store's tables and how an older store.db becomes a present one. For store.c. */
#ifndef POSTERN_CERTSTORE_STORE_SCHEMA_H
#define POSTERN_CERTSTORE_STORE_SCHEMA_H

#include <sqlite3.h>

#include "gateway/base/problem.h"

/* The version this program knows. */
int store_schema_version(void);
/* Brings the tables to that version, step by step, each step in one transaction. -1 with pr: not a store, a newer
 * one, or the disk. */
int store_schema_migrate(sqlite3 *db, struct problem *pr) __attribute__((warn_unused_result));

#endif

/* The admin's rules by sender and recipient; the first that matches counts. Part of store.h, which says who calls,
 * what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_RULE_H
#define POSTERN_CERTSTORE_STORE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

struct store_rule {
	int64_t id, position;
	char *name, *sender, *recipient; /* patterns: "*", "*@d", "a@d", "@.d" (subdomains) */
	char *treatment, *strength;
	char *exempt; /* words of policy's exemptions, "" or NULL: none */
};
/* In the order in which they are tried. */
int store_rules(struct store *s, struct store_rule **list_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
void store_rules_free(struct store_rule *l, size_t n);
/* position < 1: behind the last; else there, and those from there on move one down. The name must be new. */
int store_rule_add(struct store *s, const struct store_rule *r, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* Changes all of the rule of that name but its number; position < 1: it stays where it is. */
int store_rule_set(struct store *s, const struct store_rule *r, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
int store_rule_remove(struct store *s, int64_t id, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));

#endif

/* The patterns of rules, and which rule is the first to match. Role judge; pure. */
#ifndef POSTERN_PROC_JUDGE_RULE_H
#define POSTERN_PROC_JUDGE_RULE_H

#include <stdbool.h>

#include "certstore/store.h"
#include "gateway/mail/address.h"

/* "*" everyone, "*@d" everyone at d, "a@d" one person, "@.d" everyone at a subdomain of d. Brings a pattern into its
 * one form (domain in lower case) in out; -1 with pr says what is allowed. */
#define JUDGE_RULE_PATTERN_MAX 400
int judge_rule_pattern(const char *text, char out[JUDGE_RULE_PATTERN_MAX], struct problem *pr)
    __attribute__((warn_unused_result));
bool judge_rule_matches(const char *pattern, const struct address *a);
/* NULL when none does. */
const struct store_rule *judge_rule_first(
    const struct store_rule *rules, size_t n, const struct address *sender, const struct address *recipient);

#endif

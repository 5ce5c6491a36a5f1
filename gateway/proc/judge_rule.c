/* Matching of rules. Role judge; pure. Local parts are compared without case: a rule that misses "Bob@" would let
 * through what it was made to stop. */
#include "gateway/proc/judge_rule.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int bad_pattern(struct problem *pr, const char *text)
{
	return problem_set(pr, PROBLEM_PERM, 0, "", "",
	    "\"%.200s\" is not a pattern: allowed are \"*\", \"*@domain\", \"person@domain\" and \"@.domain\" (its "
	    "subdomains)",
	    text);
}

int judge_rule_pattern(const char *text, char out[JUDGE_RULE_PATTERN_MAX], struct problem *pr)
{
	const char *at = strrchr(text, '@');
	char domain[ADDRESS_DOMAIN_MAX + 1], whole[ADDRESS_TEXT_MAX];
	struct address a;

	if (strcmp(text, "*") == 0) {
		(void)snprintf(out, JUDGE_RULE_PATTERN_MAX, "*");
		return 0;
	}
	if (!at)
		return bad_pattern(pr, text);
	if (strncmp(text, "@.", 2) == 0) {
		if (at != text || address_domain(text + 2, strlen(text + 2), domain, NULL) < 0)
			return bad_pattern(pr, text);
		(void)snprintf(out, JUDGE_RULE_PATTERN_MAX, "@.%s", domain);
		return 0;
	}
	if (strncmp(text, "*@", 2) == 0) {
		if (address_domain(text + 2, strlen(text + 2), domain, NULL) < 0)
			return bad_pattern(pr, text);
		(void)snprintf(out, JUDGE_RULE_PATTERN_MAX, "*@%s", domain);
		return 0;
	}
	if (address_parse_utf8(text, strlen(text), &a, NULL) < 0 || !a.local[0] || !a.domain[0] || a.local[0] == '*')
		return bad_pattern(pr, text);
	(void)snprintf(out, JUDGE_RULE_PATTERN_MAX, "%s", address_text(&a, whole));
	return 0;
}

static bool is_below(const char *domain, const char *parent)
{
	size_t d = strlen(domain), p = strlen(parent);

	return d > p + 1 && domain[d - p - 1] == '.' && strcmp(domain + d - p, parent) == 0;
}

bool judge_rule_matches(const char *pattern, const struct address *a)
{
	char whole[ADDRESS_TEXT_MAX];

	if (strcmp(pattern, "*") == 0)
		return true;
	if (strncmp(pattern, "@.", 2) == 0)
		return is_below(a->domain, pattern + 2);
	if (strncmp(pattern, "*@", 2) == 0)
		return strcmp(a->domain, pattern + 2) == 0;
	return a->local[0] && strcasecmp(address_text(a, whole), pattern) == 0;
}

const struct store_rule *judge_rule_first(
    const struct store_rule *rules, size_t n, const struct address *sender, const struct address *recipient)
{
	for (size_t i = 0; i < n; i++)
		if (judge_rule_matches(rules[i].sender, sender) && judge_rule_matches(rules[i].recipient, recipient))
			return &rules[i];
	return NULL;
}

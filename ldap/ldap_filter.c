#include "ldap/ldap_filter.h"

#include <string.h>
#include <strings.h>

/* RFC 4515 3: * ( ) \ and NUL must be escaped; every octet may be. */
int ldap_filter_escape(const char *value, struct buf *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@.-_+";
	int r = 0;

	for (; *value != '\0' && r == 0; value++)
		r = strchr(plain, *value) != NULL ? buf_addc(out, (uint8_t)*value)
						  : buf_addf(out, "\\%02x", (unsigned)(unsigned char)*value);
	return r;
}

int ldap_filter_check(const char *pattern, struct problem *pr)
{
	int depth = 0, asked = 0;

	if (pattern[0] != '(')
		return problem_perm(pr, "a filter in parentheses such as (mail=%%s)");
	for (const char *p = pattern; *p != '\0'; p++) {
		depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
		if (depth < 0 || (depth == 0 && p[1] != '\0'))
			return problem_perm(pr, "one filter whose parentheses close, such as (mail=%%s)");
		if (*p != '%')
			continue;
		p++;
		asked += *p == 's' || *p == 'u' || *p == 'd';
		if (*p == '\0' || strchr("sud%", *p) == NULL)
			return problem_perm(pr, "a filter in which %% is followed by s, u, d or %%");
	}
	if (depth != 0)
		return problem_perm(pr, "one filter whose parentheses close, such as (mail=%%s)");
	if (asked == 0)
		return problem_perm(pr, "a filter with %%s (the address), %%u or %%d in it");
	return 0;
}

static int add(char what, const char *local, const char *domain, struct buf *out)
{
	switch (what) {
	case 'u':
		return local == NULL ? 0 : ldap_filter_escape(local, out);
	case 'd':
		return ldap_filter_escape(domain, out);
	case 's':
		if (local == NULL)
			return ldap_filter_escape(domain, out);
		return ldap_filter_escape(local, out) != 0 || buf_addc(out, '@') != 0
			   ? -1
			   : ldap_filter_escape(domain, out);
	default:
		return buf_addc(out, (uint8_t)what);
	}
}

int ldap_filter_make(const char *pattern, const char *local, const char *domain, struct buf *out)
{
	int r = 0;

	for (const char *p = pattern; *p != '\0' && r == 0; p++) {
		if (*p == '%' && p[1] != '\0')
			r = add(*++p, local, domain, out);
		else
			r = buf_addc(out, (uint8_t)*p);
	}
	return r;
}

int ldap_filter_pattern(const struct settings_list *attributes, struct buf *out)
{
	int r = buf_adds(out, "(|");

	for (size_t i = 0; i < attributes->n && r == 0; i++)
		r = buf_addf(out, "(%s=%s%%s)", attributes->v[i],
		    strcasecmp(attributes->v[i], "proxyAddresses") == 0 ? "smtp:" : "");
	return r == 0 ? buf_addc(out, ')') : -1;
}

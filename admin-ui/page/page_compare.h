/* "What would happen to a mail", as it is and as it would be with an edit that is not made yet: beside what a form is
 * about to change. Fields try_from, try_to, try_reply. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_COMPARE_H
#define POSTERN_PAGE_PAGE_COMPARE_H

#include "admin-ui/page/page.h"

/* The question of such a page: explain with the arguments of its edit ("with_rule.name=?name ..."). */
#define PAGE_COMPARE(edit)                                                                                           \
	{                                                                                                            \
		PAGE_JUDGE, "explain", "sender=?try_from recipient=?try_to reply_to_sealed!=?try_reply " edit,       \
		    "compare", "try_to", PAGE_MAY_FAIL                                                               \
	}

/* "try" (the form) and, where it was asked, compare.sides for compare.html. to: what stands in the empty field of
 * the recipient: an address, a domain (its postmaster), or a rule's pattern. */
void page_compare(const struct page_request *rq, json_t *model, const char *to);

/* One answer of explain: adds its verdict in a sentence, its class, its lines as objects. */
void page_compare_answer(json_t *answer);

#endif

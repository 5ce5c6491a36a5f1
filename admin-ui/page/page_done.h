/* What an action did, in a sentence for the page that it leads to (?done=word). Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_DONE_H
#define POSTERN_PAGE_PAGE_DONE_H

/* "" for words that no action gives: a link of a stranger says nothing of its own. */
const char *page_done(const char *word);

#endif

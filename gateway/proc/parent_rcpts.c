#include "gateway/proc/parent_rcpts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_rcpts_map.h"
#include "gateway/proc/relay_rcpts_settings.h"
#include "ldap/ldap_cert_settings.h"

enum { PASSWORD_MAX = 1024 };

void parent_rcpts_free(struct parent_rcpts *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->nmaps; i++)
		close(p->maps[i].fd);
	for (size_t i = 0; i < p->npasswords; i++)
		mem_free_secret(p->passwords[i].text, p->passwords[i].n);
	free(p->maps);
	free(p->passwords);
	free(p);
}

static int add_map(struct parent_rcpts *p, unsigned domain, const char *file, size_t max, struct problem *pr)
{
	struct relay_rcpts_map *m = NULL;
	struct buf b;
	int fd = -1;

	if (p->nmaps == PARENT_RCPTS_MAPS_MAX)
		return problem_perm(pr, "%s: there are more than %d recipient-maps", file, PARENT_RCPTS_MAPS_MAX);
	buf_init(&b, max);
	if (file_read(file, &b, pr) != 0) {
		problem_prefix(pr, "recipient-map (of at most map-max octets): ");
	} else if (relay_rcpts_map_parse(file, buf_str(&b), b.len, &m, pr) == 0) {
		fd = file_memfd("recipient-map", b.p, b.len);
		if (fd < 0)
			problem_temp(pr, "no memory file for %s: %s", file, strerror(errno));
		else
			p->maps[p->nmaps++] = (struct parent_rcpts_file){.domain = domain, .fd = fd};
	}
	relay_rcpts_map_free(m);
	buf_clear(&b);
	return fd < 0 ? -1 : 0;
}

static bool is_first(const struct conf *c, size_t domain)
{
	const char *file = conf_domain(c, domain, NULL)->recipient_map;

	for (size_t i = 0; i < domain; i++)
		if (conf_domain(c, i, NULL)->recipients == CONF_RCPTS_MAP &&
		    strcmp(conf_domain(c, i, NULL)->recipient_map, file) == 0)
			return false;
	return true;
}

static int add_password(
    struct parent_rcpts *p, bool certificates, const char *name, const char *file, struct problem *pr)
{
	struct parent_rcpts_password *w = &p->passwords[p->npasswords];
	const char *section = certificates ? "certificate-directory" : "ldap";
	struct stat st;
	struct buf b;
	int err = -1;

	if (stat(file, &st) != 0)
		return problem_perm(pr, "password-file of %s \"%s\": %s: %s", section, name, file, strerror(errno));
	if (st.st_mode & 077)
		return problem_perm(
		    pr, "password-file of %s \"%s\": %s can be read by others: chmod 600 it", section, name, file);
	buf_init(&b, PASSWORD_MAX);
	if (file_read(file, &b, pr) == 0) {
		w->certificates = certificates;
		w->name = name;
		w->n = strcspn(buf_str(&b), "\r\n");
		w->text = mem_dup(buf_str(&b), w->n + 1);
		p->npasswords++;
		err = w->n > 0 ? 0 : problem_perm(pr, "password-file of %s \"%s\": %s is empty", section, name, file);
	}
	buf_clear(&b);
	return err;
}

static int add_passwords(struct parent_rcpts *p, const struct conf *c, struct problem *pr)
{
	const char *name;
	int err = 0;

	p->passwords = mem_new((conf_directories(c) + conf_cert_directories(c) + 1) * sizeof(*p->passwords));
	for (size_t i = 0; i < conf_directories(c) && err == 0; i++) {
		const struct ldap_settings *l = conf_directory(c, i, &name);

		if (l->password_file[0] != '\0')
			err = add_password(p, false, name, l->password_file, pr);
	}
	for (size_t i = 0; i < conf_cert_directories(c) && err == 0; i++) {
		const struct ldap_settings *l = &conf_cert_directory(c, i, &name)->ldap;

		if (l->password_file[0] != '\0')
			err = add_password(p, true, name, l->password_file, pr);
	}
	return err;
}

struct parent_rcpts *parent_rcpts_load(const struct conf *c, struct problem *pr)
{
	const struct relay_rcpts_settings *set = conf_section(c, "recipients");
	struct parent_rcpts *p = mem_new(sizeof(*p));
	int err = 0;

	p->maps = mem_new(PARENT_RCPTS_MAPS_MAX * sizeof(*p->maps));
	for (size_t i = 0; i < conf_domains(c) && err == 0; i++) {
		const struct conf_domain *d = conf_domain(c, i, NULL);

		if (d->recipients == CONF_RCPTS_MAP && is_first(c, i))
			err = add_map(p, (unsigned)i, d->recipient_map, (size_t)set->map_max, pr);
	}
	if (err == 0)
		err = add_passwords(p, c, pr);
	if (err == 0)
		return p;
	parent_rcpts_free(p);
	return NULL;
}

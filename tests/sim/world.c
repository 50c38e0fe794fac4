/* world.c - see world.h */
#include "world.h"

/* all@ is u0 and u1: who is addressed twice gets it once. */
static const struct site_conf example = {
    .host = "mail.example.org",
    .domain = "example.org",
    .ip = "192.0.2.1",
    .parts = SITE_SMTP | SITE_POP3,
    .people = {{"u0@example.org", "secret0"},
               {"u1@example.org", "secret1"},
               {"u2@example.org", "secret2"},
               {"u3@example.org", "secret3"}},
    .alias = "all@example.org",
    .targets = "u0@example.org u1@example.org",
};

void
world_open(struct world *w, uint64_t seed)
{
	struct site_conf conf = example;

	scene_open(&w->scene, seed);
	conf.on_disk = seed % 4 == 0;
	site_open(&w->site, &w->scene, &conf);
}

void
world_close(struct world *w)
{
	site_close(&w->site);
	scene_close(&w->scene);
}

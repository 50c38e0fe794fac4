/* sim_ready.c - the polls that may be ready, in the order in which they were kicked. */
#include "net/sim_net.h"

void
sim_net_kick(struct sim_net *s, struct sim_poll *p)
{
	if (!p || p->link)
		return;
	p->turn = s->turn;
	p->next = NULL;
	p->link = s->ready_end;
	*s->ready_end = p;
	s->ready_end = &p->next;
}

void
sim_net_unkick(struct sim_net *s, struct sim_poll *p)
{
	if (!p->link)
		return;
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	else
		s->ready_end = p->link;
	p->link = NULL;
}

/* Sections of maps about senders, put together for one message. */
#include "fhir/translate/sender.h"

#include "fhir/v2/address.h"

#include <errno.h>

/* Whether @facility is the first or second component of MSH-4, which is @sent. */
static bool is_facility(const struct v2_message *message, struct str facility, struct str sent)
{
    char delim = message->delims.component;
    return str_eq(facility, v2_part(sent, delim, 1)) ||
           str_eq(facility, v2_part(sent, delim, 2));
}

/* The lists under construction: room for all there are. */
struct lists {
    struct v2_assigner *assigners;
    struct str *options;
    size_t assigner_count;
    size_t option_count;
};

static int make_room(struct arena *arena, const struct translate_site *site,
                     struct lists *lists)
{
    size_t assigners = site->assigners.count;
    size_t options = site->option_count;
    for (uint16_t i = 0; i < site->rules->sender_count; i++) {
        assigners += site->rules->senders[i].assigner_count;
        options += site->rules->senders[i].option_count;
    }
    lists->assigners = arena_calloc(arena, assigners, sizeof(*lists->assigners));
    lists->options = arena_calloc(arena, options, sizeof(*lists->options));
    return lists->assigners && lists->options ? 0 : -ENOMEM;
}

static void put_assigners(struct lists *lists, const struct v2_assigner *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lists->assigners[lists->assigner_count++] = list[i];
    }
}

static void put_options(struct lists *lists, const struct str *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lists->options[lists->option_count++] = list[i];
    }
}

int translate_sender(struct arena *arena, const struct v2_message *message,
                     struct translate_site *site)
{
    const struct rules *rules = site->rules;
    struct lists lists = { 0 };
    struct v2_header header;
    if (rules->sender_count == 0) {
        return 0;
    }
    int r = make_room(arena, site, &lists);
    if (r < 0) {
        return r;
    }
    v2_header(message, &header);
    put_assigners(&lists, site->assigners.list, site->assigners.count);
    put_options(&lists, site->options, site->option_count);
    for (uint16_t i = 0; i < 2 * rules->sender_count; i++) {
        const struct rule_sender *sender = &rules->senders[i % rules->sender_count];
        bool named = sender->facility.n > 0;
        if (named != (i < rules->sender_count) ||
            (named && !is_facility(message, sender->facility, header.sending_facility))) {
            continue; /* those with a facility in the first round */
        }
        put_assigners(&lists, sender->assigners, sender->assigner_count);
        put_options(&lists, sender->options, sender->option_count);
        site->zone = site->zone.n ? site->zone : sender->zone;
    }
    site->assigners = (struct v2_assigners){ lists.assigners, lists.assigner_count };
    site->options = lists.options;
    site->option_count = lists.option_count;
    return 0;
}

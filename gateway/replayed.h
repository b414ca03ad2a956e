/*
 * A recorded exchange as a question that can be put to consents again.
 *
 * What the record's opening says of who asked and for what is enough for all that isn't about
 * the data itself: that is sealed elsewhere, or not kept at all.
 */
#pragma once

#include "anchor/opening.h"
#include "anchor/record.h"
#include "gateway/config/config.h"
#include "gateway/identity/asker.h"

enum {
    REPLAYED_E_FORM = 1, /* it asks consents nothing, or its opening doesn't say what */
};

/* @patient: whose consents were asked. Refers to itself: not to be copied. */
struct replayed {
    struct asker asker;
    struct consent_request request;
    uint8_t patient[16];
};

/**
 * replayed_read() - the question of a record
 * @config:  whose routes tell where messages go, and why
 * @record:  its interaction, route and time count
 * @opening: what it says is copied
 *
 * A message that goes to several destinations is asked for the first. What a directory said of
 * that one's organization isn't recorded: with a directory it is taken as unknown.
 *
 * Return: 0, REPLAYED_E_FORM or -ENOMEM; @out is of use only on 0.
 */
MUST_USE int replayed_read(struct arena *arena, const struct config *config,
                           const struct record *record, const struct opening *opening,
                           struct replayed *out);

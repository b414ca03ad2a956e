/* FHIR requests: the listener's side. */
#pragma once

#include "gateway/way_in.h"

/* Begin to answer on listening socket @fd. Return: 0 or -errno after saying why */
MUST_USE int fhir_open(struct way_in *way, int fd);

/* Let go of what fhir_open() made; fine if it wasn't called. The server is freed before. */
void fhir_close(struct way_in *way);

/* The functions, by the file they stand in. functions.c has their table. */
#pragma once

#include "fhir/path/machine.h"

#define PATH_FUNCTION(name)                                                                    \
    int path_fn_##name(struct path_machine *m, const struct path_call *call)

/* fn_existence.c */
PATH_FUNCTION(all);
PATH_FUNCTION(all_false);
PATH_FUNCTION(all_true);
PATH_FUNCTION(any_false);
PATH_FUNCTION(any_true);
PATH_FUNCTION(count);
PATH_FUNCTION(distinct);
PATH_FUNCTION(empty);
PATH_FUNCTION(exists);
PATH_FUNCTION(is_distinct);
PATH_FUNCTION(logical_not);
PATH_FUNCTION(subset_of);
PATH_FUNCTION(superset_of);

/* fn_filter.c */
PATH_FUNCTION(children);
PATH_FUNCTION(descendants);
PATH_FUNCTION(first);
PATH_FUNCTION(last);
PATH_FUNCTION(repeat);
PATH_FUNCTION(repeat_all);
PATH_FUNCTION(select);
PATH_FUNCTION(single);
PATH_FUNCTION(skip);
PATH_FUNCTION(tail);
PATH_FUNCTION(take);
PATH_FUNCTION(where);

/* fn_combine.c */
PATH_FUNCTION(coalesce);
PATH_FUNCTION(combine);
PATH_FUNCTION(exclude);
PATH_FUNCTION(iif);
PATH_FUNCTION(intersect);
PATH_FUNCTION(union);

/* fn_aggregate.c */
PATH_FUNCTION(aggregate);
PATH_FUNCTION(avg);
PATH_FUNCTION(define_variable);
PATH_FUNCTION(max);
PATH_FUNCTION(min);
PATH_FUNCTION(sort);
PATH_FUNCTION(sum);
PATH_FUNCTION(trace);

/* fn_convert.c */
PATH_FUNCTION(converts_to_boolean);
PATH_FUNCTION(converts_to_date);
PATH_FUNCTION(converts_to_datetime);
PATH_FUNCTION(converts_to_decimal);
PATH_FUNCTION(converts_to_integer);
PATH_FUNCTION(converts_to_quantity);
PATH_FUNCTION(converts_to_string);
PATH_FUNCTION(converts_to_time);
PATH_FUNCTION(to_boolean);
PATH_FUNCTION(to_date);
PATH_FUNCTION(to_datetime);
PATH_FUNCTION(to_decimal);
PATH_FUNCTION(to_integer);
PATH_FUNCTION(to_quantity);
PATH_FUNCTION(to_string);
PATH_FUNCTION(to_time);

/* fn_string.c */
PATH_FUNCTION(contains);
PATH_FUNCTION(ends_with);
PATH_FUNCTION(index_of);
PATH_FUNCTION(join);
PATH_FUNCTION(last_index_of);
PATH_FUNCTION(length);
PATH_FUNCTION(lower);
PATH_FUNCTION(replace);
PATH_FUNCTION(split);
PATH_FUNCTION(starts_with);
PATH_FUNCTION(substring);
PATH_FUNCTION(to_chars);
PATH_FUNCTION(trim);
PATH_FUNCTION(upper);

/* fn_regex.c */
PATH_FUNCTION(matches);
PATH_FUNCTION(matches_full);
PATH_FUNCTION(replace_matches);

/* fn_encode.c */
PATH_FUNCTION(decode);
PATH_FUNCTION(encode);
PATH_FUNCTION(escape);
PATH_FUNCTION(unescape);

/* fn_math.c */
PATH_FUNCTION(abs);
PATH_FUNCTION(ceiling);
PATH_FUNCTION(comparable);
PATH_FUNCTION(exp);
PATH_FUNCTION(floor);
PATH_FUNCTION(ln);
PATH_FUNCTION(log);
PATH_FUNCTION(power);
PATH_FUNCTION(round);
PATH_FUNCTION(sqrt);
PATH_FUNCTION(truncate);

/* fn_time.c */
PATH_FUNCTION(date_of);
PATH_FUNCTION(day_of);
PATH_FUNCTION(hour_of);
PATH_FUNCTION(millisecond_of);
PATH_FUNCTION(minute_of);
PATH_FUNCTION(month_of);
PATH_FUNCTION(now);
PATH_FUNCTION(second_of);
PATH_FUNCTION(time_of);
PATH_FUNCTION(time_of_day);
PATH_FUNCTION(timezone_offset_of);
PATH_FUNCTION(today);
PATH_FUNCTION(year_of);

/* fn_boundary.c */
PATH_FUNCTION(high_boundary);
PATH_FUNCTION(low_boundary);
PATH_FUNCTION(precision);

/* fn_interval.c */
PATH_FUNCTION(difference);
PATH_FUNCTION(duration);

/* fn_fhir.c */
PATH_FUNCTION(check_modifiers);
PATH_FUNCTION(conforms_to);
PATH_FUNCTION(extension);
PATH_FUNCTION(get_value);
PATH_FUNCTION(has_value);
PATH_FUNCTION(html_checks);
PATH_FUNCTION(member_of);
PATH_FUNCTION(resolve);
PATH_FUNCTION(type);

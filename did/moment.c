#include "did/moment.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400
#define PLAIN 19            /* characters before fraction and zone */
#define LAST_S 253402300799 /* 9999-12-31T23:59:59Z */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int month, int year)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days from 1970-01-01 to the first of January of that year. */
static int64_t days_before(int year)
{
    int64_t y = year - 1;

    /* 719162 days lie between 0001-01-01 and 1970-01-01 in the Gregorian calendar. */
    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

fm_status did_moment_format(char out[DID_MOMENT_TEXT], int64_t unix_s, struct base_err *err)
{
    char text[80];
    int64_t day, second;
    int year = 1970, month = 1;

    out[0] = '\0';
    if (unix_s < 0 || unix_s > LAST_S)
        return base_err_set(err, FM_E_ARG, "moment %lld is outside the years 1970 to 9999",
                            (long long)unix_s);
    day = unix_s / DAY_S;
    second = unix_s % DAY_S;
    year += (int)(day / 366); /* never too late; the loop adds the few years that are missing */
    while (days_before(year + 1) <= day)
        year++;
    day -= days_before(year);
    for (; day >= days_in(month, year); month++)
        day -= days_in(month, year);
    (void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, (int)day + 1,
                   (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    memcpy(out, text, DID_MOMENT_TEXT);
    return FM_OK;
}

/* The number written in digits text[at .. at + width). */
static int number(const char *text, int at, int width)
{
    int v = 0;

    for (int i = 0; i < width; i++)
        v = v * 10 + (text[at + i] - '0');
    return v;
}

bool did_moment_parse(int64_t *unix_s, const char *text)
{
    static const char shape[] = "0000-00-00T00:00:00Z";
    int year, month, day, hour, minute, second;
    int64_t days;

    *unix_s = 0;
    if (strlen(text) != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    year = number(text, 0, 4);
    month = number(text, 5, 2);
    day = number(text, 8, 2);
    hour = number(text, 11, 2);
    minute = number(text, 14, 2);
    second = number(text, 17, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(month, year) ||
        hour > 23 || minute > 59 || second > 59)
        return false;
    days = days_before(year) + day - 1;
    for (int m = 1; m < month; m++)
        days += days_in(m, year);
    *unix_s = days * DAY_S + hour * 3600 + minute * 60 + second;
    return true;
}

/* ".25" at *text, which moves past it. False if there is a point without one to nine digits. */
static bool skip_fraction(const char **text)
{
    size_t digits;

    if (**text != '.')
        return true;
    digits = strspn(*text + 1, "0123456789");
    *text += 1 + digits;
    return digits >= 1 && digits <= 9;
}

/* "Z", or an offset of at most fourteen hours, in seconds east. */
static bool parse_zone(int64_t *east_s, const char *text)
{
    static const char shape[] = "+00:00";
    int hours, minutes;

    *east_s = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if (strlen(text) != sizeof shape - 1 || (text[0] != '+' && text[0] != '-'))
        return false;
    for (size_t i = 1; i < sizeof shape - 1; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    hours = number(text, 1, 2);
    minutes = number(text, 4, 2);
    *east_s = (text[0] == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
    return minutes < 60 && (hours < 14 || (hours == 14 && minutes == 0));
}

bool did_moment_parse_any(int64_t *unix_s, const char *text)
{
    char plain[DID_MOMENT_TEXT];
    const char *rest;
    int64_t east_s;

    *unix_s = 0;
    if (strlen(text) < PLAIN)
        return false;
    memcpy(plain, text, PLAIN);
    memcpy(plain + PLAIN, "Z", 2);
    rest = text + PLAIN;
    if (!did_moment_parse(unix_s, plain) || !skip_fraction(&rest) || !parse_zone(&east_s, rest)) {
        *unix_s = 0;
        return false;
    }
    *unix_s -= east_s;
    return true;
}

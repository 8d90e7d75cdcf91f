#include "exchange/data/date.h"

#include <assert.h>

static bool leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 0001-01-01 to the first of January of the year: every year has 365, and those before
 * it that are leap years one more. */
static int64_t days_before_year(int year)
{
    int64_t y = year - 1;

    return 365 * y + y / 4 - y / 100 + y / 400;
}

static int days_before_month(int year, int month)
{
    static const int before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

    return before[month - 1] + (month > 2 && leap_year(year));
}

static int days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && leap_year(year));
}

bool data_date_from_civil(int64_t *days, int year, int month, int day)
{
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    *days = DATA_DATE_MIN + days_before_year(year) + days_before_month(year, month) + day - 1;
    return true;
}

void data_date_to_civil(int *year, int *month, int *day, int64_t days)
{
    int64_t since = days - DATA_DATE_MIN;
    int y, m = 12;

    assert(days >= DATA_DATE_MIN && days <= DATA_DATE_MAX);
    /* 146097 days are 400 years: the guess is at most one year off, and never low by more. */
    y = (int)(since * 400 / 146097) + 1;
    while (days_before_year(y) > since)
        y--;
    while (y < 9999 && days_before_year(y + 1) <= since)
        y++;
    since -= days_before_year(y);
    while (days_before_month(y, m) > since)
        m--;
    *year = y;
    *month = m;
    *day = (int)(since - days_before_month(y, m)) + 1;
}

"""Synthetic worlds: pages, visits, campaigns and requests that look like a publisher's.

In: a `WorldSpec`, how much of each and a seed. Out: four files of the documents that users send
(`webrec.synthetic.files`), or the same documents one by one (`events`, `campaigns`, `requests`).
The same spec gives the same bytes.

What is drawn, and from which distribution:

========================  ==========================================================================
pages in a category       multinomial; the weight of the category ranked r is ``(r + 3) ** -0.5``
words of a page           five of the category's seven terms, evenly; title and description from
                          templates, evenly; every hundredth page has no text
popularity in a category  Zipf with exponent 1 over the category's pages, earlier ones first
community of a user       multinomial; the weight of the community ranked r is ``(r + 3) ** -0.5``
taste of a community      neighbouring categories, the last of which the next community shares; each
                          is worth three quarters of the one before
category of a visit       85 %: by the community's taste; 15 %: any, by its number of pages
user of a visit           each user once; beyond that by an activity that is exponential over users,
                          so that visits per user are close to geometric
logged-out visits         one in ten of the visits beyond the first of each user
accepts                   every twentieth visit follows a recommendation: an accept precedes it
time of a visit           evenly over the days before ``now_ms``; within a day a triangle with its
                          peak in the evening
ads of a campaign         geometric with mean 2, at most 10, of one category: pages by popularity,
                          one in five a landing page of the campaign's own
priority of a campaign    beta(2, 2), two decimals
state of a campaign       one in sixteen ended, one in 25 is to come, one in fifty is switched off;
                          the others run for years, one in four of them without dates
visitor of a request      70 % a user of the log, 15 % an unknown user, 5 % an unknown address,
                          10 % anonymous
page of a request         80 % by the visitor's taste, 12 % any page evenly, 8 % an unknown page
========================  ==========================================================================

Categories take their words from a hundred subjects (``words.json``); beyond a hundred, a category
mixes two subjects. Memory grows with pages and users by a few bytes each, and not with visits.
"""

"""[3] A world of any size, published without a batch: a `SyntheticModelSpec` in, tables out.

Pages, communities and tastes are those of `webrec.synthetic`; what a batch would have to find out
is known here, so that a million users are a matter of minutes. All the tables say is exact: a
page's total and a community's list are the sums of the profiles written beside them.

===================  ===============================================================================
profile of a user    visits drawn by the taste of the community until so many different URLs came
                     up; the last ones, which popularity would take long to find, evenly
accepts              one for every twentieth URL of a profile
ads                  pages, evenly, each in one campaign; ten of a category, or nearly, make one
priority             beta(2, 2), two decimals; every campaign runs, without dates
visitor of a request 85 % a user, 10 % an unknown one, 5 % anonymous
page of a request    by the user's taste
===================  ===============================================================================

Memory grows with pages times communities by eight bytes, and with pages and users by some hundred
bytes each; not with the size of the profiles.
"""

from webrec.bench.synthetic_model.requests import requests
from webrec.bench.synthetic_model.spec import ACCEPT_WEIGHT, GENERATION, SyntheticModelSpec
from webrec.bench.synthetic_model.write import write_model

__all__ = [
    "ACCEPT_WEIGHT",
    "GENERATION",
    "SyntheticModelSpec",
    "requests",
    "write_model",
]

"""Plan: reviewed customers and campaigns in; decisions, and messages in the outbox, out.

Each page is read, decided and written in one transaction. Where a campaign has a budget, those whom it might pay for
wait until every page was read: then they are arbitrated together, and written page by page again. A plan is a
function of what is recorded and of its instant: repeated at the same instant it changes nothing, so a run that died
simply plans again. Campaigns that are not active are left out.
"""

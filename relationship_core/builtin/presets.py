"""Presets for the exports of common systems.

The names of columns come from these pages; R marks what is recalled and was not found on a page:

- Shopify orders: https://docs.xbp.app/docs/development/integrations/shopify/order-format (one line for each line item,
  what belongs to the order on its first line alone, times such as ``2025-10-07 09:50:26 +0200``); states of payment:
  https://shopify.dev/docs/api/customer/latest/enums/OrderFinancialStatus. ``Lineitem discount`` and
  ``Refunded Amount``: R.
- Shopify customers: https://help.shopify.com/en/manual/customers/import-export-customers, as
  https://ascendfs.zendesk.com/hc/en-us/articles/26465992706843 repeats it. ``Customer ID`` and the names that begin
  with ``Default Address``: R.
- WooCommerce orders: https://woocommerce.com/document/import-and-export-of-woocommerce-orders/. The columns that begin
  with ``item_`` and ``refunded_total``, of exports with a line for each item: R. What Analytics exports names nobody
  but by name (``get_export_columns`` of WooCommerce's report of orders), so it is not read.
- Stripe payments: https://docs.cello.so/guides/attribution/stripe-reports (``ID``, ``Created (UTC)``, ``Amount``,
  ``Currency``, ``Customer ID``). ``Created date (UTC)``, ``Amount Refunded``, ``Refunded date (UTC)``,
  ``Customer Email`` and the states: R.
- HubSpot contacts, ``Unsubscribed from all email``:
  https://community.hubspot.com/t5/CRM/Handling-Marketing-Contact-Status-and-Opt-Outs-when-importing/m-p/623337.
  ``Record ID`` and the others: R.
"""

from __future__ import annotations

from relationship_core import LeftOut, Preset, PresetPart, hookimpl

_NOT_PAID = ("pending", "authorized", "expired", "unpaid", "partially_paid", "partially paid")

_SHOPIFY_ORDERS = Preset(
    name="shopify-orders",
    summary="Shopify: Orders, Export, plain CSV file.",
    hint="take the file of Orders, Export, not that of an app",
    parts=(
        PresetPart(
            name="customers",
            what="customers",
            columns={
                "customer": ("Email",),
                "contact.email": ("Email",),
                "name": ("Billing Name", "Shipping Name"),
            },
            needs=("customer",),
            latest=("Created at",),
        ),
        PresetPart(
            name="orders",
            what="interactions",
            columns={
                "id": ("Name",),
                "customer": ("Email",),
                "at": ("Created at",),
                "amount": ("Total",),
                "currency": ("Currency",),
                "reference": ("Name",),
            },
            given={"source": "shopify", "kind": "order"},
            required=("amount", "currency"),
            left_out=(
                LeftOut(column="Financial Status", values=("voided",), reason="was voided"),
                LeftOut(column="Financial Status", values=_NOT_PAID, reason="is not paid, or not wholly"),
            ),
            joined=True,
            lines={
                "product": ("Lineitem sku", "Lineitem name"),
                "quantity": ("Lineitem quantity",),
                "price": ("Lineitem price",),
                "discount": ("Lineitem discount",),
            },
        ),
        PresetPart(
            name="refunds",
            what="interactions",
            columns={
                "id": ("Name",),
                "customer": ("Email",),
                "at": ("Cancelled at", "Created at"),
                "amount": ("Refunded Amount",),
                "currency": ("Currency",),
                "reference": ("Name",),
            },
            given={"source": "shopify", "kind": "return"},
            needs=("amount",),
            suffix=":refund",
        ),
    ),
)

_SHOPIFY_CUSTOMERS = Preset(
    name="shopify-customers",
    summary="Shopify: Customers, Export, plain CSV file.",
    hint="take the file of Customers, Export, not that of an app",
    parts=(
        PresetPart(
            name="customers",
            what="customers",
            columns={
                "customer": ("Email", "Customer ID"),
                "contact.email": ("Email",),
                "name": (("First Name", "Last Name"),),
                "country": ("Default Address Country Code", "Country Code"),
            },
        ),
        PresetPart(
            name="consents",
            what="consents",
            columns={
                "customer": ("Email", "Customer ID"),
                "address": ("Email",),
                "act": ("Accepts Email Marketing", "Accepts Marketing"),
            },
            given={
                "medium": "email",
                "source": "shopify",
                "method": "export",
                "evidence": "Accepts Email Marketing in an export of customers",
            },
            values={"act": {"yes": "grant", "true": "grant", "no": "withdraw", "false": "withdraw"}},
            needs=("address", "act"),
            undated=True,
        ),
    ),
)

_WOOCOMMERCE_ORDERS = Preset(
    name="woocommerce-orders",
    summary="WooCommerce: CSV of the Import Export Suite, or of Customer / Order / Coupon Export.",
    hint="what Analytics exports names customers by their name alone; take an export with their e-mail",
    times=("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M"),
    parts=(
        PresetPart(
            name="customers",
            what="customers",
            columns={
                "customer": ("billing_email", "customer_email", "customer_id"),
                "contact.email": ("billing_email", "customer_email"),
                "name": (("billing_first_name", "billing_last_name"),),
                "country": ("billing_country",),
            },
            needs=("customer",),
            latest=("order_date", "date"),
        ),
        PresetPart(
            name="orders",
            what="interactions",
            columns={
                "id": ("order_id", "order_number", "order_number_formatted"),
                "customer": ("billing_email", "customer_email", "customer_id"),
                "at": ("order_date", "date"),
                "amount": ("order_total",),
                "currency": ("order_currency",),
                "reference": ("order_number", "order_number_formatted", "order_id"),
            },
            given={"source": "woocommerce", "kind": "order"},
            required=("amount", "currency"),
            left_out=(
                LeftOut(column="status", values=("failed", "wc-failed"), reason="failed"),
                LeftOut(column="status", values=("cancelled", "wc-cancelled"), reason="was cancelled"),
                LeftOut(
                    column="status",
                    values=("pending", "wc-pending", "on-hold", "wc-on-hold", "checkout-draft", "wc-checkout-draft"),
                    reason="is not paid",
                ),
            ),
            joined=True,
            lines={
                "product": ("item_sku", "item_name"),
                "quantity": ("item_quantity",),
                "total": ("item_total",),
            },
        ),
        PresetPart(
            name="refunds",
            what="interactions",
            columns={
                "id": ("order_id", "order_number", "order_number_formatted"),
                "customer": ("billing_email", "customer_email", "customer_id"),
                "at": ("order_date", "date"),
                "amount": ("refunded_total",),
                "currency": ("order_currency",),
                "reference": ("order_number", "order_number_formatted", "order_id"),
            },
            given={"source": "woocommerce", "kind": "return"},
            needs=("amount",),
            joined=True,
            suffix=":refund",
            optional=True,
        ),
    ),
)

_STRIPE_PAYMENTS = Preset(
    name="stripe-payments",
    summary="Stripe: Payments, Export, all columns, in UTC.",
    hint="export again with all columns, and with times in UTC",
    zone="UTC",
    parts=(
        PresetPart(
            name="customers",
            what="customers",
            columns={
                "customer": ("Customer ID", "Customer Email"),
                "contact.email": ("Customer Email",),
            },
            needs=("contact.email",),
            latest=("Created date (UTC)", "Created (UTC)"),
        ),
        PresetPart(
            name="payments",
            what="interactions",
            columns={
                "id": ("id",),
                "customer": ("Customer ID", "Customer Email"),
                "at": ("Created date (UTC)", "Created (UTC)"),
                "amount": ("Amount",),
                "currency": ("Currency",),
                "reference": ("id",),
            },
            given={"source": "stripe", "kind": "order"},
            required=("amount", "currency"),
            left_out=(
                LeftOut(column="Status", values=("failed", "blocked", "canceled", "cancelled"), reason="failed"),
                LeftOut(
                    column="Status",
                    values=("pending", "incomplete", "requires_payment_method", "requires_capture", "uncaptured"),
                    reason="is not paid",
                ),
            ),
        ),
        PresetPart(
            name="refunds",
            what="interactions",
            columns={
                "id": ("id",),
                "customer": ("Customer ID", "Customer Email"),
                "at": ("Refunded date (UTC)", "Created date (UTC)", "Created (UTC)"),
                "amount": ("Amount Refunded",),
                "currency": ("Currency",),
                "reference": ("id",),
            },
            given={"source": "stripe", "kind": "return"},
            needs=("amount",),
            suffix=":refund",
        ),
    ),
)

_HUBSPOT_CONTACTS = Preset(
    name="hubspot-contacts",
    summary="HubSpot: CRM, Contacts, Export, all properties, CSV, in English.",
    hint="export again with all properties, or import the customers alone, without who unsubscribed",
    parts=(
        PresetPart(
            name="customers",
            what="customers",
            columns={
                "customer": ("Record ID", "Contact ID", "Email"),
                "contact.email": ("Email",),
                "name": (("First Name", "Last Name"),),
            },
        ),
        PresetPart(
            name="consents",
            what="consents",
            columns={
                "customer": ("Record ID", "Contact ID", "Email"),
                "address": ("Email",),
                "act": ("Unsubscribed from all email", "Opted out of all email"),
            },
            given={"medium": "email", "source": "hubspot", "method": "export"},
            values={"act": {"true": "withdraw", "yes": "withdraw"}},
            needs=("act",),
            undated=True,
        ),
    ),
)

_CUSTOMER = ("customer id", "customer number", "customer", "client id", "user id", "member id", "contact id")
_EMAIL = ("email", "e-mail", "email address", "e-mail address", "mail", "customer email")

_GENERIC = Preset(
    name="generic",
    summary="Any file: guesses columns by the names that they usually have in English; look with --dry-run first.",
    hint="say which columns they are",
    guesses=True,
    parts=(
        PresetPart(
            name="customers",
            what="customers",
            columns={
                "customer": (*_CUSTOMER, "id", *_EMAIL),
                "contact.email": _EMAIL,
                "name": ("name", "full name", "customer name", ("first name", "last name"), ("firstname", "lastname")),
                "country": ("country code",),
                "locale": ("locale",),
                "zone": ("zone", "timezone", "time zone"),
            },
        ),
        PresetPart(
            name="interactions",
            what="interactions",
            columns={
                "source": ("source",),
                "id": (
                    "order id",
                    "order number",
                    "order no",
                    "order",
                    "transaction id",
                    "invoice number",
                    "receipt",
                    "id",
                ),
                "customer": (*_CUSTOMER, *_EMAIL),
                "kind": ("kind",),
                "at": ("at", "date", "order date", "created at", "created", "timestamp", "datetime", "time"),
                "amount": ("amount", "total", "order total", "total amount", "grand total", "price"),
                "currency": ("currency", "currency code"),
                "reference": ("reference",),
            },
        ),
    ),
)


@hookimpl
def relationship_import_presets() -> tuple[Preset, ...]:
    """Shopify, WooCommerce, Stripe, HubSpot, and one that guesses."""
    return (
        _SHOPIFY_ORDERS,
        _SHOPIFY_CUSTOMERS,
        _WOOCOMMERCE_ORDERS,
        _STRIPE_PAYMENTS,
        _HUBSPOT_CONTACTS,
        _GENERIC,
    )

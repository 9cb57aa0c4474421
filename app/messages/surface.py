"""Words for refusals of the screens, the API and the command line themselves."""

MESSAGES = {
    "form_expired": "This form was open for too long, or you signed in again since. Open the page again and repeat the step.",
    "body_unreadable": "The body is not JSON, or not an object. Send Content-Type: application/json.",
    "cursor_unknown": "The cursor was not made by this list. Start again without one.",
    "precondition_needed": "Send If-Match with the ETag you read, so that nobody's change is lost.",
    "precondition_failed": "Somebody changed this since you read it. Read it again, and repeat your change on what it is now.",
    "key_unusable": "An Idempotency-Key has 8 to 200 visible characters. A random UUID is a good one.",
    "nothing_entered": "Nothing was entered. Enter a quantity in at least one line.",
    "day_unreadable": "“{day}” is no day. Write it as 2027-01-15, one a line.",
    "choice_unknown": "“{value}” is no choice here. Choose one from the list.",
    "form_used": "This form was entered before with other content. If this is another order, enter it once more.",
    "customer_unheard": "No customer of this company has this code or name. Check it, or choose another company.",
    "customer_unclear": "{count} customers fit this. Enter the code of one.",
    "quantity_not_received": "Nothing, or less than nothing, cannot be received. Enter how many came; less is an adjustment.",
    "found_negative": "Nothing below zero can be found. Enter what lies there.",
    "view_name": "A view needs a name of at most {most} characters. Say what it shows.",
    "view_name_taken": "You have a view “{name}” of this list already. Choose another name, or change that one.",
    "view_unknown": "This view is gone, or no longer shared with you. Choose another in the list.",
    "view_changed": "The view “{name}” was changed since you opened it. Look at it again.",
    "views_enough": "{most} views of one list are enough. Forget one first.",
}

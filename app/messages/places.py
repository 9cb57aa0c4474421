"""Words for refusals of templates of places: what a new site, company or channel begins with."""

MESSAGES: dict[str, str] = {
    "template_not_found": "There is no template {template}. Choose one from the list.",
    "template_there": "There is a template {name} already. Open it to write its next version, or choose another code.",
    "template_retired": "The template {code} is retired, so nothing is made from it any more. Choose another one.",
    "template_other_kind": "The template {code} makes {kind!a} and nothing else. Write another template for what it is not.",
    "template_everywhere": "A new place is at none of the sites that your role is for. Ask somebody whose role is for all sites.",
    "template_part_unknown": "A template of {kind!a} says nothing of {part}. Leave it out.",
    "template_too_long": "{section}: at most {most} rows. Leave some out and add them at the site itself.",
    "template_row_twice": "{section}: row {row} says again what a row before it says. Leave one of them out.",
    "template_row_long": "{section}: row {row} has more than {cells} cells. Part cells by semicolons, and rows by lines.",
    "template_cell_unusable": "{column} cannot be “{value}” (row {row}). Look at the example beside the field.",
    "template_name_unknown": "There is no {what} {name} here. Create it first, or take it out of the template.",
    "template_value_outside": "{point} cannot be “{value}”. Open the policy to see what it may be.",
    "template_programme_missing": "Cells belong to a programme, and their go with it. Choose the programme.",
    "template_wave_elsewhere": "{wave} is no wave of this programme. Choose one of its waves, or none yet.",
    "template_channels_missing": "A wave takes cells live, and a cell is a site in a channel. Choose the channels of the site.",
    "template_tax_above_one": "A tax rate of {rate} is more than the whole price. Enter a share, such as 0.19.",
    "template_rank": "Rank {rank} is none: the first is 1 and the last {last}. Change it.",
    "template_plan_changed": "What would be made has changed since it was shown. Look at it once more, then make it.",
    "chart_role_missing": "The chart has no account for: {roles}. Postings need one for each; add them.",
    "chart_role_twice": "Two accounts have the role {role}, and postings go to one. Take the role from the other.",
}

"""What must not be published although a policy lets its column out: forms of secrets and of persons
in the values themselves, and what finds of them mean. Pure; the search is plain_sql's."""

"""Templates of places on the screen: kept, looked at, and made into sites, companies and channels."""

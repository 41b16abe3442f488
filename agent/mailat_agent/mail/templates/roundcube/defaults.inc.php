<?php
// Debian's own, kept by its package.
require '/etc/roundcube/defaults.inc.php';

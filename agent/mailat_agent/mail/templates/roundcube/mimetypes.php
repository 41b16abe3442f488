<?php
// Debian's own, kept by its package.
return require '/etc/roundcube/mimetypes.php';
